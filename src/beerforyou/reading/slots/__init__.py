"""What a message names: places, types, names, distances, how many; what is denied of them."""
