@echo off
rem cloud_remove.bat [CONFIG]: remove on the server of the Cloud section.
if "%~1"=="" (call "%~dp0coflows.bat" cloud remove) else (call "%~dp0coflows.bat" --config %1 cloud remove)
