@echo off
rem azure_remove.bat [local] [CONFIG]: remove the Azure Container Instance.
if "%~1"=="local" shift
if "%~1"=="" (call "%~dp0coflows.bat" azure remove) else (call "%~dp0coflows.bat" --config %1 azure remove)
