@echo off
rem cloud_log.bat [CONFIG]: log on the server of the Cloud section.
if "%~1"=="" (call "%~dp0coflows.bat" cloud log) else (call "%~dp0coflows.bat" --config %1 cloud log)
