def tide_table(place: str) -> str:
    return f"{place.strip()}: high at noon"
