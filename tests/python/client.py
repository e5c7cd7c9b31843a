"""Uses paystatus from Python, with nothing of it but its `.proto` files.

Records an order and an attempt, watches the order until it is approved, makes three mistakes
on purpose, and checks every answer. Prints `WATCHING` as soon as the stream has told all there
is (then whoever runs this sends the webhook), and at last one line of JSON with what it saw.
Exits with 0 only if all was as expected.

Without an address it only generates its stubs and prints the services they have.
"""

import argparse
import importlib
import json
import sys
import tempfile
from pathlib import Path

import grpc
import grpc_tools
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"
WAIT_S = 60
AMOUNT = {"currency_code": "AUD", "minor_units": 14624, "exponent": 2}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", metavar="HOST:PORT")
    parser.add_argument("--key", help="secret of an API key with the role checkout")
    parser.add_argument("--merchant")
    parser.add_argument("--account", help="the provider account of the attempt")
    parser.add_argument("--order", default="python-1", help="id of the order to record")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        api = generate_stubs(folder)
        if options.address is None:
            print(json.dumps({"services": api.services()}))
            return
        with grpc.insecure_channel(options.address) as channel:
            session = Session(api, channel, options)
            session.record()
            statuses = session.watch_until_approved()
            order = session.get_order()
            errors = session.make_mistakes()
    report = {"statuses": statuses, "order": order, "errors": errors}
    print(json.dumps(report), flush=True)


class Api:
    """The generated modules."""

    def __init__(self):
        self.order = importlib.import_module("paystatus.v1.order_pb2")
        self.change = importlib.import_module("paystatus.v1.change_pb2")
        self.money = importlib.import_module("paystatus.v1.money_pb2")
        self.orders = importlib.import_module("paystatus.v1.order_service_pb2")
        self.orders_grpc = importlib.import_module("paystatus.v1.order_service_pb2_grpc")

    def services(self):
        names = sorted(path.stem for path in PROTO.glob("paystatus/v1/*_service.proto"))
        modules = [importlib.import_module(f"paystatus.v1.{name}_pb2") for name in names]
        return sorted(
            service.full_name
            for module in modules
            for service in module.DESCRIPTOR.services_by_name.values()
        )


def generate_stubs(folder):
    """Does what a team does that integrates from `proto/` alone."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    files = sorted(str(path) for path in PROTO.rglob("*.proto"))
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{well_known}",
        f"--python_out={folder}",
        f"--grpc_python_out={folder}",
    ]
    expect(protoc.main(arguments + files) == 0, "protoc accepts the files")
    sys.path.insert(0, folder)
    return Api()


class Session:
    """One merchant's use of the service."""

    def __init__(self, api, channel, options):
        self.api = api
        self.service = api.orders_grpc.OrderServiceStub(channel)
        self.metadata = [("authorization", f"Bearer {options.key}")]
        self.merchant_id = options.merchant
        self.account_id = options.account
        self.order_id = options.order

    def call(self, method, request):
        return method(request, metadata=self.metadata, timeout=WAIT_S)

    def create_order_request(self, **other):
        fields = {
            "merchant_id": self.merchant_id,
            "request_id": f"create-{self.order_id}",
            "order_id": self.order_id,
            "amount": self.api.money.Money(**AMOUNT),
        }
        return self.api.orders.CreateOrderRequest(**(fields | other))

    def record(self):
        """Records an order and an attempt, as before the provider is called."""
        for replayed in (False, True):
            created = self.call(self.service.CreateOrder, self.create_order_request())
            expect(created.replayed == replayed, f"replayed is {replayed}")
            expect(money(created.order.amount) == AMOUNT, "the amount comes back exact")
            self.expect_pending(created.order)
        attempt = self.call(
            self.service.CreateAttempt,
            self.api.orders.CreateAttemptRequest(
                merchant_id=self.merchant_id,
                request_id=f"attempt-{self.order_id}",
                order_id=self.order_id,
                attempt_id="attempt-1",
                account_id=self.account_id,
            ),
        ).attempt
        expect(attempt.recorded, "the attempt is recorded")
        expect(attempt.reference == self.order_id, "the reference is the order's id by default")

    def expect_pending(self, order):
        status = self.api.order.PaymentStatus.Name(order.status)
        expect(status == "PAYMENT_STATUS_PENDING", f"a new order is pending, not {status}")

    def watch_until_approved(self):
        """Follows the order's stream and returns the statuses it went through."""
        statuses = []
        caught_up = False
        for frame in self.frames():
            content = frame.WhichOneof("content")
            expect(frame.cursor != "", f"the frame {content} carries a cursor")
            if content == "snapshot_entry":
                expect(not caught_up, "a snapshot comes before CaughtUp")
                statuses.append(frame.snapshot_entry.order.status)
            elif content == "caught_up" and not caught_up:
                caught_up = True
                print("WATCHING", flush=True)
            elif content == "change_set":
                changes = frame.change_set.changes
                kinds = [self.api.change.ChangeKind.Name(change.kind) for change in changes]
                if "CHANGE_KIND_ORDER_STATUS_CHANGED" in kinds:
                    statuses.append(changes[0].order_status)
                if changes[0].outcome == self.api.order.OUTCOME_APPROVED:
                    expect(caught_up, "the stream was caught up before")
                    return [self.api.order.PaymentStatus.Name(status) for status in statuses]
        raise Unexpected("the stream ended before the order was approved")

    def frames(self):
        request = self.api.orders.WatchOrderRequest(
            merchant_id=self.merchant_id, order_id=self.order_id
        )
        frames = (response.frame for response in self.call(self.service.WatchOrder, request))
        opened = next(frames)
        expect(opened.WhichOneof("content") == "opened", "a stream begins with Opened")
        mode = self.api.change.OpenedMode.Name(opened.opened.mode)
        expect(mode == "OPENED_MODE_SNAPSHOT", f"a snapshot is the default start, not {mode}")
        return frames

    def get_order(self):
        order = self.call(
            self.service.GetOrder,
            self.api.orders.GetOrderRequest(
                merchant_id=self.merchant_id, order_id=self.order_id
            ),
        ).order
        outcome = self.api.order.Outcome.Name(order.outcome)
        expect(outcome == "OUTCOME_APPROVED", f"the order is approved, not {outcome}")
        expect(money(order.amount) == AMOUNT, "the amount is still exact")
        return {
            "order_id": order.order_id,
            "status": self.api.order.PaymentStatus.Name(order.status),
            "outcome": outcome,
            "outcome_number": order.outcome_number,
            "authorized_amount": money_if_set(order, "authorized_amount"),
            "captured_amount": money_if_set(order, "captured_amount"),
        }

    def make_mistakes(self):
        """Does three things wrong and reads what the service says of each."""
        unknown = self.api.orders.GetOrderRequest(
            merchant_id=self.merchant_id, order_id=f"{self.order_id}-unknown"
        )
        nameless = self.create_order_request(order_id="", request_id="nameless")
        other_amount = self.api.money.Money(**(AMOUNT | {"minor_units": 14625}))
        reused = self.create_order_request(amount=other_amount)

        not_found = self.refused(self.service.GetOrder, unknown)
        expect(not_found["code"] == "NOT_FOUND", "an unknown order is NOT_FOUND")
        expect(not_found["reason"] == "ORDER_NOT_FOUND", "the reason is ORDER_NOT_FOUND")

        invalid = self.refused(self.service.CreateOrder, nameless)
        expect(invalid["code"] == "INVALID_ARGUMENT", "an empty id is INVALID_ARGUMENT")
        expect("order_id" in invalid["fields"], "BadRequest names the field order_id")

        conflict = self.refused(self.service.CreateOrder, reused)
        expect(conflict["code"] == "INVALID_ARGUMENT", "a reused id is INVALID_ARGUMENT")
        expect(conflict["reason"] == "REQUEST_ID_REUSED", "the reason is REQUEST_ID_REUSED")
        return [not_found, invalid, conflict]

    def refused(self, method, request):
        """Makes a call that must fail; returns its code, reason and fields."""
        try:
            self.call(method, request)
        except grpc.RpcError as error:
            seen = read_error(error)
        else:
            raise Unexpected(f"{type(request).__name__} was accepted")
        expect(seen["domain"] == "paystatus", f"the ErrorInfo is ours: {seen}")
        return seen


def read_error(error):
    """Reads the google.rpc.Status that came with an error."""
    seen = {
        "code": error.code().name,
        "message": error.details(),
        "reason": None,
        "domain": None,
        "fields": [],
    }
    status = rpc_status.from_call(error)
    expect(status is not None, f"a google.rpc.Status comes with {seen}")
    for detail in status.details:
        info, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            seen |= {"reason": info.reason, "domain": info.domain}
        elif detail.Unpack(fields):
            seen["fields"] += [violation.field for violation in fields.field_violations]
    return seen


def money(message):
    return {name: getattr(message, name) for name in AMOUNT}


def money_if_set(message, field):
    return money(getattr(message, field)) if message.HasField(field) else None


class Unexpected(Exception):
    """The service did something else than its contract says."""


def expect(holds, what):
    if not holds:
        raise Unexpected(f"expected: {what}")


if __name__ == "__main__":
    try:
        main()
    except (Unexpected, grpc.RpcError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
