"""Mistakes that a type checker must find; every line marked `wrong` is one."""

from mutua import Recommender, Settings, Surface

shop = Recommender.open()
shop.recommend(7)  # wrong: users are strings
shop.recommend("ann", surface=3)  # wrong: a surface or its name
shop.forget("ann", "event")  # wrong: an event is named
Surface(exclude="sometimes")  # wrong: not one of the three
Settings(seed="7")  # wrong: a number
shop.recommend("ann").items = ()  # wrong: slates never change
shop.reccomend("ann")  # wrong: misspelled
