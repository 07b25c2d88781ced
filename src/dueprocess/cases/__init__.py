"""A demand's life as events: kinds, fold, stages, and one module for each verb."""
