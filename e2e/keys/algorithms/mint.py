#!/usr/bin/env python3
"""Makes the keys and tokens beside this file anew, by libraries that share nothing with ours.

    python3 -m venv venv && venv/bin/pip install jwcrypto==1.6.1 && venv/bin/python e2e/keys/algorithms/mint.py

Of the keys that it makes only the public halves are kept; those of the RFCs stand in `rfc.json`, whole, as there.
"""

import json
from pathlib import Path

from jwcrypto import jwk, jwt

HERE = Path(__file__).parent
ISSUER = "https://issuer.example"
# 2100-01-01
EXPIRES = 4102444800

RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]

# Each kind of key, and what it signs.
KEYS = [
    ("rsa-2048", {"kty": "RSA", "size": 2048}, RSA),
    ("rsa-3072", {"kty": "RSA", "size": 3072}, ["RS256", "PS256"]),
    ("rsa-4096", {"kty": "RSA", "size": 4096}, ["RS512", "PS512"]),
    ("p-256", {"kty": "EC", "crv": "P-256"}, ["ES256"]),
    ("p-384", {"kty": "EC", "crv": "P-384"}, ["ES384"]),
    ("p-521", {"kty": "EC", "crv": "P-521"}, ["ES512"]),
    ("ed25519", {"kty": "OKP", "crv": "Ed25519"}, ["EdDSA"]),
    ("secret", {"kty": "oct", "size": 512}, ["HS256", "HS384", "HS512"]),
]


def main():
    keys, tokens = [], []

    def add(kid, key, algorithms):
        members = key.export(as_dict=True) if key["kty"] == "oct" else key.export_public(as_dict=True)
        members["kid"] = kid
        keys.append(members)
        for algorithm in algorithms:
            header = {"alg": algorithm, "kid": kid}
            token = jwt.JWT(header=header, claims={"iss": ISSUER, "sub": "ann", "exp": EXPIRES}, algs=[algorithm])
            token.make_signed_token(key)
            tokens.append({"alg": algorithm, "kid": kid, "token": token.serialize()})

    for kid, how, algorithms in KEYS:
        add(kid, jwk.JWK.generate(**how), algorithms)
    for source in json.loads((HERE / "rfc.json").read_text()):
        add(source["source"], jwk.JWK(**source["jwk"]), source["algorithms"])
    write("jwks.json", '{"keys": [\n%s\n]}\n', keys)
    write("tokens.json", "[\n%s\n]\n", tokens)


def write(name, form, rows):
    (HERE / name).write_text(form % ",\n".join("  " + json.dumps(row) for row in rows))


if __name__ == "__main__":
    main()
