"""Facts in, logical calls out. Pure: no socket, no file, and time is a value in each fact.

`correlation` keeps the state of one site. It folds the facts of each leg (`leg`), groups the legs that belong to one
call (`grouping`), and asks whether two calls are one (`fusion`, `same_number`, `station_states`). `graph` writes calls
as JSON.
"""
