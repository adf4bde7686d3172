@echo off
rem azure_deploy.bat [local] [CONFIG]: deploy the Azure Container Instance.
if "%~1"=="local" shift
if "%~1"=="" (call "%~dp0coflows.bat" azure deploy) else (call "%~dp0coflows.bat" --config %1 azure deploy)
