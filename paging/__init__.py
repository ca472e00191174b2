"""The domain: incidents, policies, pages, attempts, receipts, acknowledgement, failover.

Read in the order of a page's life: `incidents` accepts, `pages` decides, `dispatch` claims and
submits, `receipts` hears what became of it. `store` alone knows SQLAlchemy.
"""
