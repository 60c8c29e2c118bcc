"""The shop's HTTP: an order and its job are committed together, or not at all."""

import json

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

import jobmill

from tests.projects.django_shop.jobs import Bill, bill
from tests.projects.django_shop.models import Order

mill = jobmill.connect_sync(settings.DATABASE_URL)  # opened by the first request that needs it


class CardDeclined(Exception):
    """Nothing is sold."""


def take(email: str) -> dict[str, object]:
    order = Order.objects.create(email=email)
    with connection.cursor() as cursor:
        cursor.execute(*mill.as_sql(bill, Bill(order=order.pk), idempotency_key=f"bill-{order.pk}"))
        job = cursor.fetchone()[0]
    return {"order": order.pk, "job": str(job)}


@require_POST
def place_order(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():  # commits at the end of the block
        taken = take(json.loads(request.body)["email"])
    return JsonResponse(taken, status=201)


@require_POST
def place_order_with_a_bad_card(request: HttpRequest) -> HttpResponse:
    try:
        with transaction.atomic():
            take(json.loads(request.body)["email"])
            raise CardDeclined  # rolls back: no order, and no job
    except CardDeclined:
        return HttpResponse("card declined", status=402)
