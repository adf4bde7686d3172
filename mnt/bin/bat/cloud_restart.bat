@echo off
rem cloud_restart.bat [CONFIG]: restart on the server of the Cloud section.
if "%~1"=="" (call "%~dp0coflows.bat" cloud restart) else (call "%~dp0coflows.bat" --config %1 cloud restart)
