"""Redis: rates that several processes keep together."""

from jobmill.adapters.redis.token_buckets import RedisTokenBuckets, open_redis_buckets

__all__ = ["RedisTokenBuckets", "open_redis_buckets"]
