//! Trajectories: both ends of each day's way cut off, points and times made coarse.

use super::{NotDone, column, with};
use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_select::filter::filter_record_batch;
use std::collections::BTreeMap;

/// Meters of a degree of latitude (WGS 84, mean).
const DEGREE_METERS: f64 = 111_132.0;

#[derive(Clone, Copy)]
struct Point {
    row: usize,
    latitude: f64,
    longitude: f64,
}

impl Point {
    /// Meters, on a plane that touches the globe here: exact enough for what is cut off around a house.
    fn meters(&self, other: &Self) -> f64 {
        let north = (self.latitude - other.latitude) * DEGREE_METERS;
        let around = (self.longitude - other.longitude + 540.0).rem_euclid(360.0) - 180.0;
        let east = around * DEGREE_METERS * self.latitude.to_radians().cos();
        north.hypot(east)
    }
}

pub(super) fn coarser(
    table: &RecordBatch,
    [person, time, latitude, longitude]: [&str; 4],
    cut_meters: u32,
    grid_meters: u32,
    minutes: u32,
) -> Result<RecordBatch, NotDone> {
    if grid_meters == 0 || minutes == 0 || minutes > 1440 {
        return Err(NotDone::Senseless("a trajectory needs a grid above zero and 1 to 1440 minutes"));
    }
    let (persons, times) = (column(table, person)?, column(table, time)?);
    let (latitudes, longitudes) = (column(table, latitude)?, column(table, longitude)?);
    // A way is a person's day; what cannot be read belongs to none and is left out.
    let mut ways: BTreeMap<(&str, &str), Vec<(&str, Point)>> = BTreeMap::new();
    for (row, (((person, time), latitude), longitude)) in
        persons.iter().zip(times).zip(latitudes).zip(longitudes).enumerate()
    {
        let degrees = |text: Option<&str>, most: f64| text?.parse::<f64>().ok().filter(|d| d.abs() <= most);
        let (Some(person), Some(time), Some(latitude), Some(longitude)) =
            (person, time, degrees(latitude, 90.0), degrees(longitude, 180.0))
        else {
            continue;
        };
        let Some((day, _)) = read(time) else { continue };
        ways.entry((person, day)).or_default().push((time, Point { row, latitude, longitude }));
    }
    let mut kept = vec![false; table.num_rows()];
    let mut written: Vec<Option<[String; 3]>> = vec![None; table.num_rows()];
    for way in ways.values_mut() {
        way.sort_by(|a, b| a.0.cmp(b.0).then(a.1.row.cmp(&b.1.row)));
        let (Some(first), Some(last)) = (way.first().map(|w| w.1), way.last().map(|w| w.1)) else { continue };
        let cut = f64::from(cut_meters);
        for (time, point) in way.iter().filter(|(_, p)| p.meters(&first) >= cut && p.meters(&last) >= cut) {
            let Some(time) = floor(time, minutes) else { continue };
            let (latitude, longitude) = square(point, f64::from(grid_meters));
            kept.get_mut(point.row).into_iter().for_each(|k| *k = true);
            written.get_mut(point.row).into_iter().for_each(|w| *w = Some([time.clone(), latitude.clone(), longitude.clone()]));
        }
    }
    let mut out = table.clone();
    for (place, name) in [time, latitude, longitude].into_iter().enumerate() {
        let texts: StringArray = written.iter().map(|w| w.as_ref().and_then(|w| w.get(place))).collect();
        out = with(&out, name, texts)?;
    }
    Ok(filter_record_batch(&out, &BooleanArray::from(kept))?)
}

/// Day and minute of the day of `2026-01-31T08:15:00Z` or `2026-01-31 08:15`.
fn read(time: &str) -> Option<(&str, u32)> {
    let (day, clock) = time.split_once(['T', ' '])?;
    crate::calendar::read_day(day)?;
    let mut parts = clock.split(':');
    let hour: u32 = parts.next()?.parse().ok().filter(|h| *h < 24)?;
    let minute: u32 = parts.next()?.get(..2)?.parse().ok().filter(|m| *m < 60)?;
    Some((day, hour * 60 + minute))
}

fn floor(time: &str, minutes: u32) -> Option<String> {
    let (day, minute) = read(time)?;
    let minute = minute / minutes * minutes;
    Some(format!("{day}T{:02}:{:02}", minute / 60, minute % 60))
}

/// The middle of the square that a point lies in. Squares of one row are equally wide, so points of one square agree.
fn square(point: &Point, meters: f64) -> (String, String) {
    let middle = |value: f64, width: f64| ((value / width).floor() + 0.5) * width;
    let high = meters / DEGREE_METERS;
    let latitude = middle(point.latitude, high);
    // Near a pole a row is shorter than a square.
    let wide = high / latitude.to_radians().cos().abs().max(0.01);
    let decimals = if meters < 10_000.0 { 5 } else { 4 };
    (format!("{latitude:.decimals$}"), format!("{:.decimals$}", middle(point.longitude, wide)))
}
