"use strict";

/** The crew of one boat, in the order in which they signed on. */
class Crew {
  constructor(seats) {
    this.seats = seats;
    this.names = [];
  }

  signOn(name) {
    if (this.names.includes(name)) return `${name} is aboard already`;
    if (this.names.length >= this.seats) return "The boat is full";
    this.names.push(name);
    return `${name} is aboard, ${this.seats - this.names.length} seats left`;
  }
}

module.exports = { Crew };
