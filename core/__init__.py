"""What the product knows: models, machines, and what follows from joining them. No user interface."""
