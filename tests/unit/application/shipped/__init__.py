"""The job types that come with Jobmill, with plain fakes for the world."""
