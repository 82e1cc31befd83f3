"""The self-test of a mail server of ours: does it relay for strangers, and does one message stay one?"""
