"""The program: looks at a host project, plans the change, reviews, applies and reverts it."""

__version__ = "0.1.0"
# Where a user reports a defect; an address once the project has one ([project.urls]).
REPORT_AT = "the project's issue tracker"
