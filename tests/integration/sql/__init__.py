"""What the SQL adapter does beyond the contracts: migrations, contention, faults, plans."""
