"""Is this message wanted? Several who may know are asked, and each gives a hint; the decision is made elsewhere."""
