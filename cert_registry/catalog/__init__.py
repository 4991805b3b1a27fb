"""Certificate types as data, their faces, and the marks that stand on a face."""
