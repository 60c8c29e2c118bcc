"""Encryption for one browser (RFC 8291): only it can read the message, not the service between."""

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jobmill.adapters.web_push.sender import point_of

#: What a message may have: 4,096 bytes is all that a service has to take, and 103 of them are overhead.
TEXT_BYTES_MAX = 4_096 - 103
_RECORD_BYTES = 4_096


def encrypt(
    text: bytes, *, browser: bytes, secret: bytes, own: EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Return the message in the coding ``aes128gcm`` (RFC 8188), as one record.

    Args:
        text: at most ``TEXT_BYTES_MAX`` bytes.
        browser: its public key, 65 bytes.
        secret: what it shares with the sender, 16 bytes.
        own: a key made for this message.
        salt: 16 bytes that are used once.

    Raises:
        ValueError: ``browser`` is no such key.
    """
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), browser)
    ours = point_of(own)
    shared = own.exchange(ECDH(), theirs)
    material = _derive(shared, salt=secret, info=b"WebPush: info\x00" + browser + ours, length=32)
    key = _derive(material, salt=salt, info=b"Content-Encoding: aes128gcm\x00", length=16)
    nonce = _derive(material, salt=salt, info=b"Content-Encoding: nonce\x00", length=12)
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours + sealed


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
