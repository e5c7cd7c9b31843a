"""Signs and checks webhooks with the providers' own libraries.

Reads one JSON object a line and answers each with one:

    {"library": "stripe", "do": "sign", "secret": "...", "body": "...", "options": {...}}
        -> {"headers": {...}, "body": "..."}
    {"library": "stripe", "do": "verify", "secret": "...", "body": "...", "headers": {...}, ...}
        -> {"verified": true}

    {"do": "token", "secret": "<private key>", "body": "<the token of a request>"}
        -> {"claims": {...}} of a token that the key of Gr4vy's API signed

Header names are in lower case. `options`: `id` of the message, `url` of the notifications. A body that
carries its own signature comes back changed. What a library cannot sign is signed here by its
provider's documentation, and handed out only if the library accepts it.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from datetime import datetime, timezone

import Adyen.util
import gr4vy.auth
import jwt
import standardwebhooks
import stripe
from cryptography.hazmat.primitives import serialization
from gr4vy.webhooks import verify_webhook as gr4vy_verify
from mollie.utils.webhooks.signature_validator import InvalidSignatureException, SignatureValidator
from square.utils import webhooks_helper as square

TOLERANCE_S = 300


class Gr4vy:
    @staticmethod
    def sign(secret, body, _):
        now = str(int(time.time()))
        signature = hexed(secret, f"{now}.{body}")
        headers = {
            # Two active secrets sign; the second one is not ours.
            "x-gr4vy-webhook-signatures": f"{signature},{hexed('other', body)}",
            "x-gr4vy-webhook-timestamp": now,
            "x-gr4vy-webhook-id": "webhook-1",
        }
        return headers, body

    @staticmethod
    def verify(secret, body, headers, _):
        signatures = headers.get("x-gr4vy-webhook-signatures")
        timestamp = headers.get("x-gr4vy-webhook-timestamp")
        gr4vy_verify(body, secret, signatures, timestamp, TOLERANCE_S)
        return True


class StandardWebhooks:
    @staticmethod
    def sign(secret, body, options):
        at = datetime.now(timezone.utc).replace(microsecond=0)
        signature = standardwebhooks.Webhook(secret).sign(options["id"], at, body)
        headers = {
            "webhook-id": options["id"],
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        return headers, body

    @staticmethod
    def verify(secret, body, headers, _):
        standardwebhooks.Webhook(secret).verify(body, headers)
        return True


class Stripe:
    @staticmethod
    def sign(secret, body, _):
        header = stripe.WebhookSignature.generate_signature_header(body, secret)
        return {"stripe-signature": header}, body

    @staticmethod
    def verify(secret, body, headers, _):
        header = headers.get("stripe-signature")
        return stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_S)


class AdyenItems:
    """The signature stands in each item; the library checks the first item only."""

    @staticmethod
    def sign(secret, body, _):
        notification = json.loads(body)
        for item in notification["notificationItems"]:
            item = item["NotificationRequestItem"]
            signature = Adyen.util.generate_notification_sig(item, secret).decode()
            item.setdefault("additionalData", {})["hmacSignature"] = signature
        return {}, json.dumps(notification)

    @staticmethod
    def verify(secret, body, _headers, _):
        return Adyen.util.is_valid_hmac_notification(json.loads(body), secret) is True


class Square:
    @staticmethod
    def sign(secret, body, options):
        mac = hmac.new(secret.encode(), (options["url"] + body).encode(), hashlib.sha256)
        return {"x-square-hmacsha256-signature": base64.b64encode(mac.digest()).decode()}, body

    @staticmethod
    def verify(secret, body, headers, options):
        return square.verify_signature(
            request_body=body,
            signature_header=headers.get("x-square-hmacsha256-signature", ""),
            signature_key=secret,
            notification_url=options["url"],
        )


class Mollie:
    """A webhook without a signature is no error to the library, but it is not verified either."""

    @staticmethod
    def sign(secret, body, _):
        signature = SignatureValidator.create_signature(body, secret)
        return {"x-mollie-signature": f"sha256={signature}"}, body

    @staticmethod
    def verify(secret, body, headers, _):
        return SignatureValidator.validate(body, secret, headers.get("x-mollie-signature"))


LIBRARIES = {
    "gr4vy": Gr4vy,
    "standardwebhooks": StandardWebhooks,
    "stripe": Stripe,
    "adyen": AdyenItems,
    "square": Square,
    "mollie": Mollie,
}

# What the libraries raise for a signature that does not fit.
NOT_VERIFIED = (
    ValueError,
    standardwebhooks.WebhookVerificationError,
    stripe.SignatureVerificationError,
    InvalidSignatureException,
)


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(question):
    if question["do"] == "token":
        return {"claims": gr4vy_claims(question["body"], question["secret"])}
    library = LIBRARIES[question["library"]]
    secret, body = question["secret"], question["body"]
    options = question.get("options", {})
    if question["do"] == "sign":
        headers, signed = library.sign(secret, body, options)
        assert verified(library, secret, signed, headers, options), "the library refuses it"
        return {"headers": headers, "body": signed}
    return {"verified": verified(library, secret, body, question["headers"], options)}


def verified(library, secret, body, headers, options):
    try:
        return library.verify(secret, body, headers, options)
    except NOT_VERIFIED:
        return False


def gr4vy_claims(token, private_key):
    """What a token says that names the key as Gr4vy's own would, and that the key signed."""
    theirs = jwt.get_unverified_header(gr4vy.auth.get_token(private_key))
    assert jwt.get_unverified_header(token) == theirs, "another header than the library's"
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    required = {"require": ["exp", "iat", "nbf", "iss", "jti"]}
    return jwt.decode(token, key.public_key(), algorithms=["ES512"], options=required)


def hexed(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


if __name__ == "__main__":
    main()
