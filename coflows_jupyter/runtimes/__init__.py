"""One module per language runtime behind one Protocol; they live inside a host."""
