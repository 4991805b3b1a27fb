"""Ingestion of stock (存量归集): rows of another registry's file become unsealed ecerts, or are told why not."""
