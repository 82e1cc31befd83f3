"""Who has mail here: accounts and addresses, where mail for an address goes, who may send as whom, and who is who."""
