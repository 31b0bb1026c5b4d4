"""The outbox: what is said is stored with the change that caused it, then sent per surface."""

from bot.delivery.outbox import Outbox
from bot.delivery.surface import Job, Surface
from bot.delivery.tables import Binding, Delivery, Message
from bot.delivery.worker import DeliveryWorker

__all__ = ["Binding", "Delivery", "DeliveryWorker", "Job", "Message", "Outbox", "Surface"]
