"""SQL tables, migrations, repositories and the encrypted object store of the registry."""
