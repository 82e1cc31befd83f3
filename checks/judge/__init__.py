"""From facts to findings, one file per subject, two columns: internet.nl's verdict and ours."""
