@echo off
rem cloud_deploy.bat [CONFIG]: deploy on the server of the Cloud section.
if "%~1"=="" (call "%~dp0coflows.bat" cloud deploy) else (call "%~dp0coflows.bat" --config %1 cloud deploy)
