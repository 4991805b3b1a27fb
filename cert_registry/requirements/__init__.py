"""Requirements: which documents of a service item the registry holds already (免提交)."""
