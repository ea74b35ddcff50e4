"""What deployments cost."""
