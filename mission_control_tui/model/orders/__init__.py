"""Buying, approval, removal, subscriptions."""
