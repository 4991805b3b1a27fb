"""The life of an account after its proof: own history, what sites received, changes, its end."""
