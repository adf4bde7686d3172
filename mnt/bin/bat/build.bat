@echo off
rem build.bat local^|cloud [CONFIG]: build the Workflow.
if "%~2"=="" (call "%~dp0coflows.bat" %1 build) else (call "%~dp0coflows.bat" --config %2 %1 build)
