"""What `graphcast train` adds to the library's training: validation, the page, and the screen."""
