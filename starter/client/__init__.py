"""How others start complaints and incidents and talk to them."""
