"""One module per change of the schema; what is released is never edited again."""
