"""A sportsbook's board: what a feed says of events, markets, selections, odds and boosts, newest first."""
