@echo off
rem query_custom.bat CONFIG local^|cloud QUERY [FUNCTION [ARGUMENT...]]: query.bat with another config.
for /f "tokens=1,2,*" %%A in ("%*") do call "%~dp0coflows.bat" --config %%A %%B query %%C
