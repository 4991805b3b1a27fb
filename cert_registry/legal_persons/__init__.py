"""Legal persons: the one store of enterprises, cooperatives and sole traders, and who represents them."""
