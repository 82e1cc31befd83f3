"""SASL (RFC 4422), one file per mechanism: `offered` says which, `exchange` drives one."""
