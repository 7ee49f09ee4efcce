"""A network between two namespaces with delay, jitter, loss, a narrow link and outages, in user space."""
