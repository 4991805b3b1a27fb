"""Small cited rules over a draft and over a rendered file, one a module."""
