"""Long series, read a few times at a time: archives by name, folders of files."""
