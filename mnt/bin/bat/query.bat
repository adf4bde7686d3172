@echo off
rem query.bat local^|cloud QUERY [FUNCTION [ARGUMENT...]]: call a function, or list them.
for /f "tokens=1,*" %%A in ("%*") do call "%~dp0coflows.bat" %%A query %%B
