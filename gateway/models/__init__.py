"""Which models there are: declared in the file or by the API, where each stands, and every change on record."""
