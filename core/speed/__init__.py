"""How fast a deployment serves: the roofline of one step, and the load around it."""
