"""The tables of the shop."""

from django.db import models


class Order(models.Model):
    email = models.CharField(max_length=200)
    is_billed = models.BooleanField(default=False)

    class Meta:
        db_table = "django_orders"
