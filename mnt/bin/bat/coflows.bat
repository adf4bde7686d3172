@echo off
rem Runs coflows, from PATH or the project's .venv, in the folder of the Workflow.
pushd "%~dp0..\.."
set "COFLOWS="
for %%C in (.venv\Scripts\coflows.exe ..\.venv\Scripts\coflows.exe) do if exist %%C set "COFLOWS=%%~fC"
for %%C in (coflows.exe) do if not "%%~$PATH:C"=="" set "COFLOWS=%%~$PATH:C"
if "%COFLOWS%"=="" (echo coflows is neither on PATH nor in .venv: pip install "coflows_jupyter[all]" 1>&2 & popd & exit /b 2)
"%COFLOWS%" %*
set "CODE=%ERRORLEVEL%"
popd
exit /b %CODE%
