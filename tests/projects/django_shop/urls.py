"""The addresses of the shop."""

from django.urls import path

from tests.projects.django_shop import views

urlpatterns = [
    path("orders", views.place_order),
    path("orders/declined", views.place_order_with_a_bad_card),
]
