@echo off
rem server.bat [CONFIG]: serve the Workflow.
call "%~dp0coflows.bat" server %*
